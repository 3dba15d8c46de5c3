require "ereject"; ereject "Nicht für uns";
