require "enclose"; enclose :subject "Warning" "See below.";
