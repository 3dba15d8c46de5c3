require ["environment"];
if environment :is "remote-host" "" {
  discard;
}
