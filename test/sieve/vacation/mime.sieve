require "vacation";
vacation :mime text:
Content-Type: text/html

<p>Away</p>
.
;
