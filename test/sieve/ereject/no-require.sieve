require "reject"; ereject "x";
