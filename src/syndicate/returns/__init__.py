"""What comes back: bounces, complaints and answers, read into one word each. Its doors fetch them and decide nothing."""
