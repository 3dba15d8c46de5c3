require ["envelope", "envelope-deliverby", "relational"];
if envelope :value "lt" "bytimeabsolute" "2027" {
  discard;
}
