require ["variables"];
if string :is "abc" ["x","ABC"] {
  discard;
}
