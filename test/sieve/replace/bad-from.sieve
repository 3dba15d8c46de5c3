require ["foreverypart","mime","replace"];
replace :from "nobody" "x";
