// One of several: a labelled list to choose from.

import { element } from "./element.mjs";

export function choice(id, label, options, chosen) {
  const select = element(
    "select",
    { id, on: { change: () => chosen(select.value) } },
    ...Object.entries(options).map(([value, text]) => element("option", { value }, text)),
  );
  return {
    element: element("span", { class: "choice" }, element("label", { for: id }, label), select),
    update(value) {
      if (select.value !== value) select.value = value;
    },
  };
}
