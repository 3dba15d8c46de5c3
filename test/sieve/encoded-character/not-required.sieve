if header :contains "subject" "${hex:24}" { discard; }
