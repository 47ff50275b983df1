//! A link as a QR code, drawn as one path.

import { svg, type TemplateResult } from "lit-html";
import qrcode from "qrcode-generator";

/** Light modules around the code, as scanners need them (ISO/IEC 18004). */
const QUIET = 4;

export function qr(text: string, label: string): TemplateResult {
  const code = qrcode(0, "M");
  code.addData(text, "Byte");
  code.make();
  const count = code.getModuleCount();
  let path = "";
  for (let row = 0; row < count; row++) {
    for (let column = 0; column < count; column++) {
      if (code.isDark(row, column)) path += `M${column + QUIET} ${row + QUIET}h1v1h-1z`;
    }
  }
  const size = count + 2 * QUIET;
  return svg`<svg class="qr" viewBox=${`0 0 ${size} ${size}`} role="img" aria-label=${label} shape-rendering="crispEdges">
    <rect width=${size} height=${size} fill="#fff"/><path d=${path} fill="#111"/></svg>`;
}
