"""What watches over the versions in service: figures from audits over time, drift of scores, images and traffic, and
whether decisions are overturned more often than they were.
"""
