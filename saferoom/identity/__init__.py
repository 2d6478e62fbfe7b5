"""Who a node is: its keys, the coordinator's certificate authority, and enrolment by files."""
