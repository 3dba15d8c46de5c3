require "imap4flags"; setflag ["\\Recent","$A"];
