// Names of sites, nodes and projects are anybody's text: they are shown, never obeyed.

const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu;

const SHORT = { "\t": "\\t", "\n": "\\n", "\r": "\\r" };

function spelt(character) {
  if (SHORT[character]) return SHORT[character];
  const code = character.codePointAt(0);
  const digits = code.toString(16);
  if (code < 0x100) return `\\x${digits.padStart(2, "0")}`;
  return code < 0x10000 ? `\\u${digits.padStart(4, "0")}` : `\\U${digits.padStart(8, "0")}`;
}

/** The text on one line: line ends and marks that hide or turn writing round are spelt out, as in the terminal. */
export function printable(text) {
  return text.replace(HIDDEN, spelt);
}
