require "vacation";
vacation :days 3 :subject "Gone ${x}" :from "Ann <ann@example.org>" :handle "h" "Away.";
