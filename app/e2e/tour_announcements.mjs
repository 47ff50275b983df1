// The tour's part for announcements: Anna announces, typed and recorded; the rooms show it, answer, and are quiet for a while.
import { at } from "./people.mjs";

export async function announcements(visit, { anna, speaker, display }) {
  await at(anna, "nav-household").click();
  await at(anna, "to-announce").click();
  await at(anna, "announce-text").waitFor();
  await visit(anna, "announce");
  await type(anna, "Dinner's ready");
  for (const room of [speaker, display]) await at(room, "announcement-answer").waitFor();
  await visit(speaker, "speaker-announcement");
  await visit(display, "display-announcement");
  await anna.locator('[data-testid="announced-room"][data-state="shown"]').nth(1).waitFor();
  await visit(anna, "announced");
  await at(display, "announcement-close").click();

  await at(speaker, "announcement-answer").click();
  await at(speaker, "answer-recording").waitFor();
  await visit(speaker, "speaker-answer-recording");
  await speaker.getByText(/0:(0[1-9]|[1-5]\d) of 1:00/).waitFor();
  await at(speaker, "answer-stop").click();
  await at(speaker, "answer-send").waitFor();
  await visit(speaker, "speaker-answer-recorded");
  await at(speaker, "answer-discard").click();
  await at(speaker, "announcement-close").click();

  await at(anna, "announce-record").click();
  await at(anna, "announce-recording").waitFor();
  await visit(anna, "announce-recording");
  await anna.getByText(/0:(0[1-9]|[1-5]\d) of 1:00/).waitFor();
  await at(anna, "announce-stop").click();
  await at(anna, "announce-recorded").waitFor();
  await visit(anna, "announce-recorded");
  await at(anna, "announce-discard").click();

  await at(speaker, "switch-quiet").click();
  await at(speaker, "silent").waitFor();
  await type(anna, "We leave in ten minutes");
  await anna.locator('[data-testid="announced-room"][data-state="quiet"]').waitFor();
  await at(display, "announcement-close").click();
  await at(speaker, "switch-quiet").click();
  await at(speaker, "announcements-offered").waitFor();
  await visit(speaker, "speaker-announcements-offered");
  await at(speaker, "offered-aside").click();
  await at(anna, "nav-contacts").click();
  await fromTheDisplay(visit, { speaker, display });
  await live(visit, { anna, speaker, display });
}

/** The display announces by itself. */
async function fromTheDisplay(visit, { speaker, display }) {
  await at(display, "to-announce").click();
  await at(display, "announce").waitFor();
  await visit(display, "display-announce");
  await at(display, "announce-record").click();
  await at(display, "announce-recording").waitFor();
  await visit(display, "display-announce-recording");
  await display.getByText(/0:(0[1-9]|[1-5]\d) of 1:00/).waitFor();
  await at(display, "announce-stop").click();
  await at(display, "announce-send").waitFor();
  await visit(display, "display-announce-recorded");
  await at(display, "announce-discard").click();
  await at(display, "announce-type").click();
  await at(display, "announce-text").fill("Dinner's ready");
  await visit(display, "display-announce-typing");
  await at(display, "submit-announce").click();
  await display.locator('[data-testid="announced-room"][data-state="shown"]').waitFor();
  await visit(display, "display-announced");
  await at(display, "announced-close").click();
  await at(speaker, "announcement-close").click();
}

/** Spoken live, heard at the display, and by nobody at the quiet speaker; then the other way round. */
async function live(visit, { anna, speaker, display }) {
  await at(speaker, "switch-quiet").click();
  await at(speaker, "silent").waitFor();
  await at(anna, "nav-household").click();
  await at(anna, "to-announce").click();
  await at(anna, "announce-live").click();
  await anna.locator('[data-testid="announced-room"][data-state="hears"]').waitFor();
  await at(display, "announcement-from").waitFor();
  await visit(anna, "announce-live");
  await visit(display, "display-hears-live");
  await at(anna, "live-stop").click();
  await at(display, "to-announce").waitFor();
  await anna.locator('[data-testid="announced-room"][data-state="played"]').waitFor();
  await visit(anna, "announced-live");
  await at(speaker, "switch-quiet").click();
  await at(speaker, "to-announce").waitFor();
  await at(display, "to-announce").click();
  await at(display, "announce-live").click();
  await display.locator('[data-testid="announced-room"][data-state="hears"]').waitFor();
  await visit(display, "display-announces-live");
  await visit(speaker, "speaker-hears-live");
  await at(speaker, "announcement-stop").click();
  await at(display, "announced-close").click();
  await at(anna, "nav-contacts").click();
}

async function type(page, text) {
  await at(page, "announce-text").fill(text);
  await at(page, "submit-announce").click();
  await page.getByText(`“${text}”`).waitFor();
}
