# Puppet custom fact (lib/facter/phaseout.rb of a module): the result of the newest report on this machine.
#
# Facter runs far more often than scans do, so the fact starts no scan but reads the reports of phaseout_report. Without
# a report there is no fact. References: https://www.puppet.com/docs/puppet/latest/fact_overview
require 'csv'

Facter.add(:phaseout) do
  confine kernel: %w[Linux Darwin]
  setcode do
    folders = [ENV['PHASEOUT_REPORTS'], '/var/lib/phaseout', '/Library/Application Support/phaseout'].compact
    reports = folders.flat_map { |folder| Dir.glob(File.join(folder, '*.csv')) }
    newest = reports.max_by { |file| File.basename(file)[/\d{8}T\d{6}Z/].to_s }
    rows = newest ? CSV.read(newest, headers: true, encoding: 'UTF-8') : []
    next nil if rows.first.nil?

    verdicts = rows.map { |row| row['verdict'] }
    {
      'verdict' => %w[replace review incomplete clean].find { |one| verdicts.include?(one) },
      'scanned_at' => rows.first['scanned_at'],
      'replace' => rows.select { |row| row['verdict'] == 'replace' }.map { |row| row['product'] }.uniq,
      'review' => rows.select { |row| row['verdict'] == 'review' }.map { |row| row['product'] }.uniq,
    }
  end
end
