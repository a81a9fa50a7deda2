// Server-sent events from text that arrives in pieces, as the HTML standard describes the format. `EventSource` would
// do the same, but cannot send a token.

/** A parser: `feed(text)` gives the events that are complete with it. */
export function eventStream() {
  let rest = "";
  let started = false;
  let name = "";
  let data = [];

  function line(text) {
    if (text === "") {
      const event = data.length ? { name: name || "message", data: data.join("\n") } : null;
      name = "";
      data = [];
      return event;
    }
    const colon = text.indexOf(":");
    const field = colon < 0 ? text : text.slice(0, colon);
    const value = colon < 0 ? "" : text.slice(colon + 1).replace(/^ /, "");
    if (field === "event") name = value;
    if (field === "data") data.push(value);
    return null; // a line that begins with a colon is a comment: a heartbeat
  }

  return {
    feed(text) {
      if (!started && text) {
        text = text.replace(/^\ufeff/, "");
        started = true;
      }
      rest += text;
      const events = [];
      for (;;) {
        const end = rest.search(/[\r\n]/);
        // A carriage return at the very end may be the first half of a line end.
        if (end < 0 || (rest[end] === "\r" && end === rest.length - 1)) return events;
        const event = line(rest.slice(0, end));
        if (event) events.push(event);
        rest = rest.slice(end + (rest.startsWith("\r\n", end) ? 2 : 1));
      }
    },
  };
}
