// Drawn people in drawn rooms that play the part of cameras, for pictures of calls.

const PEOPLE = {
  grandmother: { wall: "#e9d8c3", floor: "#c79f78", hair: "#d9d7d3", skin: "#f0c8a6", shirt: "#8d4f6b", curtain: "#c9785a", bun: true },
  man: { wall: "#cfe0dd", floor: "#8fb0a7", hair: "#3d2b22", skin: "#c98f66", shirt: "#2f6f8f", curtain: "#5d8f7d", bun: false },
};

function drawing({ wall, floor, hair, skin, shirt, curtain, bun }) {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1280 720" width="1280" height="720">
  <rect width="1280" height="720" fill="${wall}"/><rect y="560" width="1280" height="160" fill="${floor}"/>
  <g><rect x="90" y="70" width="300" height="360" rx="8" fill="#fff"/><rect x="106" y="86" width="268" height="328" fill="#bfe0ee"/>
    <circle cx="310" cy="150" r="34" fill="#fbe7a1"/><path d="M106 350q70-80 140-30t128-20v114H106z" fill="#8fbf87"/><path d="M236 86h8v328h-8zM106 246h268v8H106z" fill="#fff"/>
    <path d="M70 56h70q0 220-60 400H70zM410 56h-70q0 220 60 400h10z" fill="${curtain}"/></g>
  <g><rect x="930" y="150" width="270" height="14" rx="4" fill="#8a6446"/><rect x="930" y="330" width="270" height="14" rx="4" fill="#8a6446"/>
    <path d="M950 70h26v80h-26zM980 54h30v96h-30zM1014 80h22v70h-22zM950 250h30v80h-30zM984 236h24v94h-24z" fill="#b3563f"/>
    <path d="M1040 62h28v88h-28zM1012 258h26v72h-26z" fill="#3d6fa8"/><path d="M1072 90h30v60h-30zM1042 244h22v86h-22z" fill="#d3a13c"/>
    <path d="M1120 290h56l-8 40h-40z" fill="#c46f4b"/><path d="M1148 290q-40-20-34-60q34 10 34 60q0-50 36-64q8 44-36 64z" fill="#4f8a55"/></g>
  ${bun ? `<circle cx="640" cy="118" r="52" fill="${hair}"/>` : ""}
  <path d="M330 720q10-210 190-246h240q180 36 190 246z" fill="${shirt}"/><path d="M580 400h120v86q-60 60-120 0z" fill="${skin}"/><path d="M580 440q60 40 120 0v24q-60 40-120 0z" fill="#000" opacity=".1"/>
  <ellipse cx="640" cy="300" rx="150" ry="168" fill="${hair}"/><ellipse cx="640" cy="318" rx="126" ry="150" fill="${skin}"/>
  <path d="M514 290q10-128 126-128t126 128q-30-74-100-84q-90 0-152 84z" fill="${hair}"/><circle cx="512" cy="322" r="24" fill="${skin}"/><circle cx="768" cy="322" r="24" fill="${skin}"/>
  <g fill="none" stroke="#3b2b25" stroke-width="8" stroke-linecap="round"><path d="M564 312q22-22 44 0M672 312q22-22 44 0"/><path d="M640 330q-14 34 4 40" opacity=".45"/></g>
  <path d="M582 398q58 52 116 0q-10 54-58 54t-58-54z" fill="#8d2f33"/><path d="M592 404q48 26 96 0l-6 12q-42 16-84 0z" fill="#fff"/>
  <circle cx="556" cy="372" r="24" fill="#e0705f" opacity=".28"/><circle cx="724" cy="372" r="24" fill="#e0705f" opacity=".28"/>
  ${bun ? '<g fill="none" stroke="#5d4a3f" stroke-width="6"><circle cx="586" cy="316" r="40"/><circle cx="694" cy="316" r="40"/><path d="M626 312q14-10 28 0"/></g>' : ""}</svg>`;
}

/** Motion JPEG of one still picture, as Chromium's fake camera reads it. */
export async function portrait(browser, who) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 720 } });
  await page.setContent(`<body style="margin:0">${drawing(PEOPLE[who])}`);
  const still = await page.screenshot({ type: "jpeg", quality: 92 });
  await page.close();
  return Buffer.concat([still, still]);
}
