//! The app's own icons: 24x24, drawn with the current colour.

import { svg, type TemplateResult } from "lit-html";

const draw = (paths: TemplateResult): TemplateResult => svg`<svg class="icon" viewBox="0 0 24 24" fill="none" stroke="currentColor"
  stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">${paths}</svg>`;

export const icons = {
  phone: draw(svg`<path d="M6.5 3.5h2.2l1.6 4-2 1.7a12 12 0 0 0 6.5 6.5l1.7-2 4 1.6v2.2a2 2 0 0 1-2.2 2A17 17 0 0 1 4.500 5.700a2 2 0 0 1 2-2.200z"/>`),
  hangUp: draw(svg`<path d="M3 14.200c0-1 .4-1.800 1.200-2.400C6.500 10.100 9.200 9.300 12 9.300s5.500.8 7.800 2.500c.8.6 1.200 1.400 1.200 2.400v1.300c0 .6-.5 1-1.100.9l-3.300-.6a1 1 0 0 1-.8-.9l-.2-2a11 11 0 0 0-7.200 0l-.2 2a1 1 0 0 1-.8.9l-3.300.6A.9.9 0 0 1 3 15.500z"/>`),
  video: draw(svg`<rect x="3" y="6.500" width="12" height="11" rx="2.500"/><path d="m15 11 5.200-3v8L15 13"/>`),
  videoOff: draw(svg`<path d="M10 6.500h2.500A2.500 2.500 0 0 1 15 9v2l5.200-3v8M15 15a2.500 2.500 0 0 1-2.500 2.500h-7A2.500 2.500 0 0 1 3 15V9a2.500 2.500 0 0 1 2-2.450M3.500 3.500l17 17"/>`),
  mic: draw(svg`<rect x="9" y="3" width="6" height="11" rx="3"/><path d="M5.500 11.500a6.500 6.500 0 0 0 13 0M12 18v3"/>`),
  micOff: draw(svg`<path d="M9 6a3 3 0 0 1 6 0v5M15 14a3 3 0 0 1-6-2.500V9M5.500 11.500A6.500 6.500 0 0 0 17 15.600M18.500 11.500v.8M12 18v3M3.500 3.500l17 17"/>`),
  people: draw(svg`<circle cx="9" cy="8.500" r="3.500"/><path d="M2.800 19.500a6.200 6.200 0 0 1 12.400 0M16 5.300a3.500 3.500 0 0 1 0 6.400M17.500 14a6.200 6.200 0 0 1 3.700 5.500"/>`),
  home: draw(svg`<path d="M4 11.200 12 4.500l8 6.700M6 9.800V19.500h12V9.800M10 19.500v-5h4v5"/>`),
  clock: draw(svg`<circle cx="12" cy="12" r="8.500"/><path d="M12 7.500V12l3 2"/>`),
  gear: draw(svg`<circle cx="12" cy="12" r="3"/><path d="M12 3v2.500M12 18.500V21M3 12h2.500M18.500 12H21M5.600 5.600l1.800 1.800M16.600 16.600l1.800 1.800M18.400 5.600l-1.800 1.800M7.400 16.600l-1.800 1.800"/>`),
  addPerson: draw(svg`<circle cx="9.500" cy="8.500" r="3.500"/><path d="M3 19.500a6.500 6.500 0 0 1 13 0M18.500 8v6M15.500 11h6"/>`),
  move: draw(svg`<rect x="3" y="5" width="9" height="14" rx="2"/><path d="M15 12h6M18.500 9l3 3-3 3"/>`),
  unknown: draw(svg`<circle cx="12" cy="12" r="8.500"/><path d="M9.700 9.700a2.400 2.400 0 1 1 3.500 2.100c-.8.4-1.200.9-1.200 1.700M12 16.500v.1"/>`),
  plus: draw(svg`<path d="M12 5v14M5 12h14"/>`),
  close: draw(svg`<path d="m6 6 12 12M18 6 6 18"/>`),
  more: draw(svg`<circle cx="12" cy="5.500" r=".8"/><circle cx="12" cy="12" r=".8"/><circle cx="12" cy="18.500" r=".8"/>`),
  lock: draw(svg`<rect x="5" y="10.500" width="14" height="9.500" rx="2.500"/><path d="M8 10.500V8a4 4 0 0 1 8 0v2.500"/>`),
  shield: draw(svg`<path d="M12 3.500 5 6v5.500c0 4.300 2.900 7.500 7 9 4.100-1.500 7-4.700 7-9V6z"/><path d="m9 12 2.200 2.200L15.200 10"/>`),
  alarm: draw(svg`<path d="M12 4 2.800 19.500h18.400zM12 10v4.500M12 17.200v.1"/>`),
  music: draw(svg`<path d="M9 17.500V6l10-2v11.500"/><circle cx="6.500" cy="17.500" r="2.500"/><circle cx="16.500" cy="15.500" r="2.500"/>`),
  out: draw(svg`<path d="M7 17 17 7M9 7h8v8"/>`),
  into: draw(svg`<path d="M17 7 7 17M7 9v8h8"/>`),
  speaker: draw(svg`<rect x="6.500" y="3" width="11" height="18" rx="5"/><circle cx="12" cy="14" r="3"/><path d="M12 7v.1"/>`),
  display: draw(svg`<rect x="3" y="4.500" width="18" height="12" rx="2.500"/><path d="M8 20h8"/>`),
  tablet: draw(svg`<rect x="6" y="3" width="12" height="18" rx="2.500"/><path d="M11.500 18h1"/>`),
  copy: draw(svg`<rect x="8.500" y="8.500" width="11" height="11" rx="2.500"/><path d="M15.500 8.500V7A2.500 2.500 0 0 0 13 4.500H7A2.500 2.500 0 0 0 4.500 7v6A2.500 2.500 0 0 0 7 15.500h1.500"/>`),
  trash: draw(svg`<path d="M5 7h14M10 7V4.500h4V7M7 7l.8 12.500h8.400L17 7"/>`),
  check: draw(svg`<path d="m5 12.500 4.500 4.500L19 7.500"/>`),
  moon: draw(svg`<path d="M19.500 14.200A8 8 0 0 1 9.800 4.500a8 8 0 1 0 9.700 9.700z"/>`),
  star: draw(svg`<path d="m12 4 2.400 5 5.400.700-4 3.800 1 5.400L12 16.200 7.200 18.900l1-5.400-4-3.800 5.400-.700z"/>`),
  block: draw(svg`<circle cx="12" cy="12" r="8.500"/><path d="m6 6 12 12"/>`),
  link: draw(svg`<path d="M10 14a4 4 0 0 0 5.700 0l3-3a4 4 0 0 0-5.700-5.700L11.500 6.800M14 10a4 4 0 0 0-5.700 0l-3 3A4 4 0 0 0 11 18.700l1.500-1.500"/>`),
  share: draw(svg`<path d="M12 15.500V4M8 7.500 12 3.500l4 4M6.500 11.500v8h11v-8"/>`),
  leave: draw(svg`<path d="M13 4.500H6v15h7M10.500 12H20M16.500 8.500 20 12l-3.500 3.500"/>`),
  voice: draw(svg`<path d="M5 10v4M9 7v10M13 4.500v15M17 8v8M21 10.500v3"/>`),
  keyboard: draw(svg`<rect x="3" y="6.500" width="18" height="11" rx="2.500"/><path d="M7 10.500v.1M10.500 10.500v.1M14 10.500v.1M17.200 10.500v.1M8.500 14h7"/>`),
  bars: draw(svg`<path d="M6 19v-4M12 19V10M18 19V5"/>`),
  back: draw(svg`<path d="M14.500 5.500 8 12l6.500 6.500"/>`),
};
