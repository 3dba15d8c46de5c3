require ["environment"];
if environment :contains "vnd.unknown" "" {
  discard;
}
