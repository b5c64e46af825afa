// What an operator says about a batch in a form, as the API takes it.

export function purpose(form) {
  const given = new FormData(form);
  return {
    name: given.get("name"), operator: given.get("operator"), site: given.get("site"),
    planned: Number(given.get("planned")) || 0, "by-plugging": given.get("slots") === "plugging",
  };
}
