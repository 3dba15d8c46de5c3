require "replace";
replace :mime :subject "x" "Content-Type: text/plain

x";
