if address "subject" "x" { discard; }
