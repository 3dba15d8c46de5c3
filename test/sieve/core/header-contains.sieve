if header :contains ["to", "subject"] ["nothing", "Report"] {
  discard;
}
