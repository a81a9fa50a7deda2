// Says why nothing newer is shown.

import { Missing } from "../live/api.mjs";
import { element, mark, say } from "./element.mjs";

export function trouble() {
  const place = element("p", { class: "trouble", role: "status" });
  place.hidden = true;
  return {
    element: place,
    passed() {
      place.hidden = true;
    },
    /** What failed, in a sentence; `missing` is what to say where there is no such thing. */
    failed(error, missing) {
      const gone = error instanceof Missing;
      mark(place, "data-kind", gone ? "missing" : "unanswered");
      say(place, gone ? missing : `Not up to date: ${error.message}. Trying again.`);
      place.hidden = false;
    },
  };
}
