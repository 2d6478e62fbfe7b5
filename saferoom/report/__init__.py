"""One HTML page on a job, Chinese or English, without outside assets: `render_report(ReportData(...))`."""
