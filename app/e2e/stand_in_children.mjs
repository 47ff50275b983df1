// The stand-in's part for children: a consent and what it was given to, and the page behind the link in its mail.

const TEXT = { version: 1, text: "Homeline connects people by voice and picture.\n\nUntil you consent, your child calls nobody and is called by nobody. Calls are end-to-end encrypted; the server keeps who called whom, when and for how long.\n\nYou can review and withdraw your consent at any time." };
const CONSENT = "5e3d1a2b".padEnd(32, "0");

/** The answer to a request about children; undefined for any other. */
export function answerChildren(server, household, account, body) {
  const child = household?.children.find((one) => one.account === body.account);
  const reply = () => ({ type: "consent", text: TEXT, record: child.record ?? null });
  const changed = (consent) => {
    child.consent = consent;
    const { account: id, limits } = child;
    server.tellHousehold(household, { type: "child_changed", account: id, limits, consent });
    server.tellHousehold(household, { type: "consent_changed", account: id });
  };
  switch (body.type) {
    case "get_consent": return reply();
    case "give_consent":
      child.record = {
        consent: CONSENT, child: child.account, by: account.id, name: body.name, email: body.email, version: body.version, given_at_ms: Date.now(), withdrawn_at_ms: null,
        mail: "a".repeat(32), mail_state: "sent",
      };
      changed({ by: account.id, at_ms: Date.now() });
      return reply();
    case "list_child_calls": return { type: "history", calls: server.childCalls ?? [] };
    default: return undefined;
  }
}

/** What the page behind the mail's link is shown. */
export function reviewed() {
  return { reference: CONSENT.slice(0, 8), given_at_ms: Date.now() - 86_400_000, withdrawn_at_ms: null, text: TEXT.text };
}
