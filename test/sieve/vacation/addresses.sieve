require "vacation";
vacation :addresses ["Others@example.net"] "Away.";
