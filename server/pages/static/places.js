// Suggests places in the search form of a page that does not have their names, once a field is used.
for (const list of document.querySelectorAll("datalist[data-places]")) {
  const form = list.closest("form");
  const suggest = async () => {
    const response = await fetch(list.dataset.places).catch(() => null); // without it, the form works as before
    const { places } = response?.ok ? await response.json() : { places: [] };
    list.replaceChildren(...places.map(({ name }) => Object.assign(document.createElement("option"), { value: name })));
  };
  form.addEventListener("focusin", suggest, { once: true });
}
