require ["duplicate", "fileinto"];
if duplicate :seconds 0 { fileinto "zero"; }
if duplicate { fileinto "seen"; }
