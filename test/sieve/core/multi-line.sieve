require "reject";
reject text: # why
first
..dot
.single
. space
.
;
