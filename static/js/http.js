// Talking to the house: every failure comes back as a named kind, never as a silent nothing.
const token = () => document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "";

const KINDS = { 401: "signed-out", 403: "signed-out", 404: "ended", 409: "ended", 429: "offline", 502: "offline", 503: "offline", 504: "offline" };

export class Refused extends Error {
  // kind: "offline" (no answer, or none for now), "ended" (409: not ours any more), "signed-out" (401, 403), "failed" (anything
  // else); code: the end of the problem's type, as in "claim-gone"
  constructor(kind, { detail = "", code = "" } = {}) {
    super(detail || kind);
    Object.assign(this, { kind, detail, code });
  }
}

export async function post(url, body, { headers = {}, ...options } = {}) {
  const json = !(body instanceof FormData);
  let answer;
  try {
    answer = await fetch(url, {
      method: "POST",
      body: json ? JSON.stringify(body) : body,
      headers: { "X-CSRFToken": token(), Accept: "application/json, text/html", ...(json && { "Content-Type": "application/json" }), ...headers },
      redirect: "error",
      ...options,
    });
  } catch {
    throw new Refused("offline");
  }
  if (answer.ok) return answer;
  const problem = answer.headers.get("Content-Type")?.includes("json") ? await answer.json().catch(() => ({})) : {};
  const code = (problem.type ?? "").split(":").at(-1);
  const said = problem.errors?.map((one) => one.detail).join(" ");
  const kind = code === "no-guideline" ? "failed" : (KINDS[answer.status] ?? "failed");
  throw new Refused(kind, { detail: said || (problem.detail ?? ""), code });
}

// Gives claims back while the page goes away: nobody waits for the answer. A page that comes next has renewed the leases
// it goes on with, so each is named with the end that this page knows of.
export function farewell(url, elements) {
  const body = new FormData();
  body.set("csrfmiddlewaretoken", token());
  for (const { dataset } of elements) {
    body.append("claim", dataset.claim);
    body.append("until", dataset.until);
  }
  fetch(url, { method: "POST", body, keepalive: true }).catch(() => {});
}
