require "editheader";
addheader "X-New" text:
one
Subject: two
.
;
