require "enclose"; enclose "one"; enclose "two";
