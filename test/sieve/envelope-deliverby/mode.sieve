require ["envelope", "envelope-deliverby"];
if envelope "bymode" "n" {
  discard;
}
