// Elements of the page. Whatever is said in them is text: nothing here reads HTML.

const SVG = "http://www.w3.org/2000/svg"; // the name of the language, not an address that is fetched

function dressed(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") for (const [event, act] of Object.entries(value)) made.addEventListener(event, act);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** An element with its attributes, its listeners (`on`) and what is in it: texts and elements. */
export function element(name, attributes = {}, ...children) {
  return dressed(document.createElement(name), attributes, children);
}

/** The same of a drawing. */
export function drawing(name, attributes = {}, ...children) {
  return dressed(document.createElementNS(SVG, name), attributes, children);
}

/** Say something else, if it is something else. */
export function say(place, text) {
  if (place.textContent !== text) place.textContent = text;
}

/** Set an attribute, if it has another value; none takes it away. */
export function mark(place, name, value) {
  if (value === null) place.removeAttribute(name);
  else if (place.getAttribute(name) !== value) place.setAttribute(name, value);
}

/** A name in text: however it is written, the text around it keeps its direction. */
export function named(text, attributes = {}) {
  return element("bdi", attributes, text);
}

/**
 * The children of `parent` as one part for each item: parts of items that stay are kept (and with them the focus), and
 * are moved only where the order changed. `make(item)` gives a part: `{ element, update(item) }`.
 */
export function listed(parent, { key, make }) {
  let parts = new Map();
  return (items) => {
    const next = new Map();
    let before = parent.firstElementChild;
    for (const item of items) {
      const id = key(item);
      const part = parts.get(id) ?? make(item);
      parts.delete(id);
      next.set(id, part);
      part.update(item);
      if (part.element === before) before = before.nextElementSibling;
      else parent.insertBefore(part.element, before);
    }
    for (const part of parts.values()) part.element.remove();
    parts = next;
    return next;
  };
}
