require ["foreverypart","mime","replace"];
replace "Nothing is left of it.";
