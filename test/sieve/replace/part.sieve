require ["foreverypart","mime","replace"];
foreverypart { if header :mime :contenttype "content-type" "application/pdf" { replace "The attachment was removed."; } }
