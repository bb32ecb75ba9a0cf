// What the desk says, from the server and so in the reader's language.
export const words = JSON.parse(document.getElementById("words").textContent);

export const put = (text, fields) => text.replace(/\{(\w+)\}/g, (whole, name) => fields[name] ?? whole);

// A verdict and its labels in words: "Blocked · Weapons S2".
export function said(verdict, labels = []) {
  const names = labels.map((label) => `${words.categories[label.category] ?? label.category} S${label.severity}`);
  return [words.verdicts[verdict], names.join(", ")].filter(Boolean).join(" · ");
}
