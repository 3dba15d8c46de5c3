require ["comparator-i;octet"];
if header :comparator "i;octet" :is "x-number" "0042" {
  discard;
}
