require ["vacation","variables"]; set "s" text:
one
Bcc: two@example.com
.
; vacation :subject "${s}" "x";
