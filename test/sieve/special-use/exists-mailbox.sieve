require ["special-use"];
if specialuse_exists "Spam" "\\Junk" {
  discard;
}
