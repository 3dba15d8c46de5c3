require ["date"];
if date :originalzone "date" "std11" "Wed, 4 Mar 2026 06:00:00 +0100" {
  discard;
}
