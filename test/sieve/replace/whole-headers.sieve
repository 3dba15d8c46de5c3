require ["foreverypart","mime","replace"];
replace :subject "Größe" :from "Robot <robot@example.org>" "text";
