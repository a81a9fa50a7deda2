// Questions to the API of the worker that served this page.

import { token } from "./token.mjs";

/** The API wants a token, or another one. */
export class Refused extends Error {}

/** There is no such site or node. */
export class Missing extends Error {}

/** Nobody answered, or not as they should. */
export class Unanswered extends Error {}

/** The answer to a question, as it is on the wire. */
export async function opened(path, { signal, accept = "application/json" } = {}) {
  const headers = { Accept: accept };
  if (token()) headers.Authorization = `Bearer ${token()}`;
  let answer;
  try {
    answer = await fetch(path, { headers, signal, cache: "no-store" });
  } catch (error) {
    throw new Unanswered(error.message);
  }
  if (answer.status === 401) throw new Refused("a token is needed");
  if (answer.status === 404) throw new Missing(await reason(answer));
  if (!answer.ok) throw new Unanswered(await reason(answer));
  return answer;
}

/** The answer to a question. */
export async function asked(path, options) {
  const answer = await opened(path, options);
  try {
    return await answer.json();
  } catch (error) {
    throw new Unanswered(error.message);
  }
}

async function reason(answer) {
  try {
    const { detail } = await answer.json();
    if (typeof detail === "string") return detail;
  } catch {
    // no body that says more than the status
  }
  return `the worker answered ${answer.status}`;
}
