require ["fileinto", "variables", "comparator-i;unicode-casemap"];
if header :matches "subject" "Gr??e aus K?ln" {
  fileinto "characters";
}
if header :matches "subject" "gr????* aus K??ln" {
  fileinto "octets ${5}";
}
if header :matches "subject" "*aus k?*ln" {
  fileinto "first octet";
}
if header :matches :comparator "i;unicode-casemap" "subject" "gr??e aus k?ln" {
  fileinto "${1}${2}${3}";
}
