require "filinto";
