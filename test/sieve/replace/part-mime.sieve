require ["foreverypart","mime","replace"];
foreverypart { if header :mime :type "content-type" "application" { replace :mime text:
Content-Type: text/html

<p>gone</p>
.
; } }
