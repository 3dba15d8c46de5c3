require "enclose"; enclose :headers ["X-Number", "From", "X-None"] "text";
