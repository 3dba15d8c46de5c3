require ["virustest"];
if virustest "0" {
  discard;
}
