// Puts the text of a chosen file into the field of the form. Without this script, the text is pasted.
const file = document.querySelector("#choose");
const unreadable = document.querySelector("#unreadable");

document.querySelector("#chosen").hidden = false;
file.addEventListener("change", async () => {
  const bytes = await file.files[0]?.arrayBuffer();
  if (!bytes) {
    return;
  }
  try {
    document.querySelector("#file").value = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    unreadable.textContent = "";
  } catch {
    unreadable.textContent = unreadable.dataset.text;
  }
});
