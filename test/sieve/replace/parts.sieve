require ["foreverypart","mime","replace"];
foreverypart { if header :mime :type "content-type" "text" { replace "x"; } }
