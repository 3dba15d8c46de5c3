require ["body"];
if body :text :contains ["evil", "hidden title"] {
  discard;
}
